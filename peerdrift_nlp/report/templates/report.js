(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const notes = all(".note");
  const form = document.getElementById("filters");

  // Filters: every note carries what it can be chosen by; text goes in by textContent only.
  const apply = () => {
    const value = (name) => form.elements[name]?.value ?? "";
    const [label, program, worker, from, to] = ["label", "program", "worker", "from", "to"].map(value);
    const talk = form.elements.talk.checked;
    const sample = form.elements.sample?.checked;
    const undecided = form.elements.undecided?.checked;
    let shown = 0;
    for (const note of notes) {
      const data = note.dataset;
      note.hidden = Boolean(
        (label && !data.label.split(" ").includes(label)) ||
          (program && data.program !== program) ||
          (worker && data.worker !== worker) ||
          (from && (!data.month || data.month < from)) ||
          (to && (!data.month || data.month > to)) ||
          (talk && !data.talk) ||
          (sample && !data.sample) ||
          (undecided && !data.undecided),
      );
      shown += note.hidden ? 0 : 1;
    }
    const count = shown === notes.length ? `${shown}` : `${shown} of ${notes.length}`;
    document.getElementById("count").textContent = `${count} ${notes.length === 1 ? "note" : "notes"}`;
    document.getElementById("none").hidden = shown > 0;
  };
  if (form) {
    form.hidden = false;
    form.reset();
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    const toggle = document.getElementById("toggle");
    toggle.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(open));
      for (const card of all(".card")) card.open = open;
    });
    for (const button of all("button[data-worker]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        form.reset();
        form.elements.worker.value = button.dataset.worker;
        setTimeout(() => {
          apply();
          document.getElementById("notes").focus();
          document.getElementById("notes").scrollIntoView();
        });
      });
    }
  }

  // A flag's number, or its sentence, opens its card.
  const open = (card) => {
    card.open = true;
    const summary = card.querySelector("summary");
    summary.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.mk");
    const mark = event.target.closest("mark[data-flag]");
    if (!link && !mark) return;
    if (mark && String(getSelection())) return;
    const number = link ? link.dataset.for : mark.dataset.flag.split(" ")[0];
    const card = document.getElementById(`${event.target.closest(".note").id}f${number}`);
    if (!card) return;
    event.preventDefault();
    open(card);
  });
  // The card that a pointed-at or focused flag belongs to is shown as such, and the other way round.
  const near = (event, on) => {
    const note = event.target.closest?.(".note");
    const card = event.target.closest?.(".card");
    const mark = event.target.closest?.("mark[data-flag], a.mk");
    if (!note || (!card && !mark)) return;
    const numbers = card ? [card.id.slice(note.id.length + 1)] : (mark.dataset.flag ?? mark.dataset.for).split(" ");
    for (const number of numbers) {
      document.getElementById(`${note.id}f${number}`)?.classList.toggle("near", on);
      for (const piece of all(`mark[data-flag~="${number}"]`, note)) piece.classList.toggle("near", on);
    }
  };
  for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(kind, (event) => near(event, on));
  }

  // Why something was not flagged: on hover, focus and touch; Escape puts it away.
  const tip = document.getElementById("tip");
  let holder = null;
  const hide = () => {
    tip.hidden = true;
    holder = null;
  };
  const show = (target) => {
    holder = target;
    tip.textContent = target.dataset.tip;
    tip.hidden = false;
    const at = target.getBoundingClientRect();
    const wide = document.documentElement.clientWidth;
    const left = Math.min(Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2), wide - tip.offsetWidth - 8);
    const above = at.top > tip.offsetHeight + 12;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above ? at.top - tip.offsetHeight + 2 : at.bottom - 2) + scrollY}px`;
  };
  const tipped = (event) => {
    const own = event.target.closest?.("[data-tip]");
    if (own) return own;
    const words = event.target.closest?.(".text [data-alike]");
    return words && words.closest(".text").querySelector(`.dot[data-for="${words.dataset.alike.split(" ")[0]}"]`);
  };
  for (const kind of ["mouseover", "focusin", "click"]) {
    document.addEventListener(kind, (event) => {
      const target = tipped(event);
      if (target) show(target);
      else if (event.target !== tip && (kind !== "mouseover" || holder !== document.activeElement)) hide();
    });
  }
  document.addEventListener("focusout", (event) => event.target === holder && hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  // On paper everything is open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const item of closed) item.open = true;
  });
  addEventListener("afterprint", () => {
    for (const item of closed) item.open = false;
  });
})();
