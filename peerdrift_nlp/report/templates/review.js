(() => {
  "use strict";
  const SCHEMA = "peerdrift.decisions/1";
  const MOST_BYTES = 20000000;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const by = (id) => document.getElementById(id);
  const desk = by("desk");
  const notes = all(".note[data-note]").filter((note) => note.dataset.note);
  const cards = all(".card[data-at]");
  const samples = notes.filter((note) => note.dataset.sample);
  const noteOf = (element) => element.closest(".note");
  const keyOf = (card) => [noteOf(card).dataset.note, card.dataset.at, card.dataset.indicator].join(" ");

  // What was decided: verdicts and missed sentences by "note start-end indicator", and the notes read.
  const verdicts = new Map();
  const missed = new Map();
  const read = new Set();
  let unsaved = false;
  // Notes of the same words share a fingerprint, and so their decisions.
  const group = (items, key) => {
    const groups = new Map();
    for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
    return groups;
  };
  const cardsOf = group(cards, keyOf);
  const notesOf = group(notes, (note) => note.dataset.note);
  const sampled = new Set(samples.map((note) => note.dataset.note));

  const tell = (words) => {
    by("told").textContent = words;
  };
  const isUndecided = (stop) => (stop.matches(".card") ? !verdicts.has(keyOf(stop)) : !stop.checked);
  const isOpen = (note) => all(".card[data-at], .read input", note).some(isUndecided);
  const progress = () => {
    let done = 0;
    for (const key of cardsOf.keys()) done += verdicts.has(key) ? 1 : 0;
    const parts = [`${done} of ${cardsOf.size} ${cardsOf.size === 1 ? "flag" : "flags"} decided`];
    if (sampled.size) {
      const seen = [...sampled].filter((note) => read.has(note)).length;
      parts.push(`${seen} of ${sampled.size} sample ${sampled.size === 1 ? "note" : "notes"} read`);
    }
    if (missed.size) parts.push(`${missed.size} missed`);
    by("progress").textContent = parts.join(", ");
    for (const note of notes) note.dataset.undecided = isOpen(note) ? "1" : "";
  };
  const changed = () => {
    unsaved = true;
    tell("");
    progress();
  };

  // A flag's decision: its buttons are made when its card is first opened.
  const controls = (card) => {
    const place = card.querySelector(".review");
    if (!place.firstChild) {
      place.append(by("controls").content.cloneNode(true));
      show(card);
    }
    return place;
  };
  const show = (card) => {
    const place = card.querySelector(".review");
    const made = verdicts.get(keyOf(card));
    for (const name of ["accepted", "dismissed"]) card.classList.toggle(name, made?.verdict === name);
    let sign = card.querySelector(".sign");
    if (!sign) {
      sign = document.createElement("b");
      sign.className = "sign";
      card.querySelector(".head .sub").append(sign);
    }
    sign.textContent = made ? ` · ${made.verdict}` : "";
    if (made && !place.firstChild) place.append(by("controls").content.cloneNode(true));
    if (!place.firstChild) return;
    place.classList.toggle("done", Boolean(made));
    for (const button of all("button", place)) {
      button.setAttribute("aria-pressed", String(made?.verdict === button.dataset.verdict));
    }
    const [reason, comment] = [place.querySelector(".reason"), place.querySelector(".comment")];
    reason.hidden = made?.verdict !== "dismissed";
    comment.hidden = !made;
    const select = reason.querySelector("select");
    select.value = made?.reason ?? "";
    const text = comment.querySelector("textarea");
    if (text.value !== (made?.comment ?? "")) text.value = made?.comment ?? "";
    const why = made?.reason ? `: ${select.selectedOptions[0].textContent}` : "";
    const words = made ? `${made.verdict === "accepted" ? "Accepted" : "Dismissed"}${why}.` : "";
    place.querySelector(".said").textContent = made?.comment ? `${words} ${made.comment}` : words;
  };
  const decide = (card, change) => {
    const key = keyOf(card);
    const old = verdicts.get(key);
    if (change.verdict && old?.verdict === change.verdict) verdicts.delete(key);
    else verdicts.set(key, { reason: "", comment: old?.comment ?? "", ...(change.verdict ? {} : old), ...change });
    for (const twin of cardsOf.get(key)) show(twin);
    changed();
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.(".card[data-at][open]")) controls(event.target);
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".verdict button");
    if (button) decide(button.closest(".card"), { verdict: button.dataset.verdict });
  });
  document.addEventListener("change", (event) => {
    const card = event.target.closest(".verdict")?.closest(".card");
    if (card && event.target.tagName === "SELECT") decide(card, { reason: event.target.value });
  });
  document.addEventListener("input", (event) => {
    const card = event.target.closest(".verdict")?.closest(".card");
    if (card && event.target.tagName === "TEXTAREA") decide(card, { comment: event.target.value });
  });

  // Missed sentences and the sample.
  const wordsOf = (sentence) => {
    const copy = sentence.cloneNode(true);
    for (const mark of all(".mk", copy)) mark.remove();
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const short = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);
  const light = (note, at) => {
    for (const sentence of all(".sen", note)) sentence.classList.toggle("chosen", sentence.dataset.at === at);
  };
  const close = (note) => {
    note.querySelector(".miss").hidden = true;
    note.querySelector(".add").hidden = false;
    light(note, "");
  };
  const ask = (note, at = "") => {
    const form = note.querySelector(".miss");
    const select = form.elements.at;
    if (!select.options.length) {
      for (const sentence of all(".sen", note)) select.append(new Option(short(wordsOf(sentence), 80), sentence.dataset.at));
    }
    if (form.hidden) form.reset();
    if (at) select.value = at;
    form.hidden = false;
    note.querySelector(".add").hidden = true;
    light(note, select.value);
    select.focus();
    form.scrollIntoView({ block: "nearest" });
  };
  const list = (note) => {
    const found = note.querySelector(".found");
    found.replaceChildren();
    for (const [key, item] of missed) {
      if (item.note !== note.dataset.note) continue;
      const at = `${item.start}-${item.end}`;
      const sentence = note.querySelector(`.sen[data-at="${at}"]`);
      const line = document.createElement("li");
      const option = note.querySelector(`.miss option[value="${item.indicator}"]`);
      const title = document.createElement("b");
      title.textContent = `Missed: ${item.indicator ? option.textContent : "not sure yet"}`;
      const quote = document.createElement("q");
      quote.textContent = short(wordsOf(sentence), 160);
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "link";
      remove.textContent = "Remove";
      remove.addEventListener("click", () => {
        missed.delete(key);
        for (const twin of notesOf.get(item.note)) list(twin);
        note.querySelector(".add").focus();
        changed();
      });
      line.append(title, quote);
      if (item.comment) line.append(Object.assign(document.createElement("p"), { textContent: item.comment }));
      line.append(remove);
      found.append(line);
    }
    for (const sentence of all(".sen", note)) {
      const at = sentence.dataset.at;
      sentence.classList.toggle("lacking", [...missed.values()].some((item) => item.note === note.dataset.note && `${item.start}-${item.end}` === at));
    }
  };
  const tick = (note, on) => {
    if (on) read.add(note);
    else read.delete(note);
    for (const twin of notesOf.get(note) ?? []) {
      const box = twin.querySelector(".read input");
      if (box) box.checked = on;
    }
  };
  for (const note of notes) {
    const margin = note.querySelector(".margin");
    if (!margin || !note.querySelector(".sen")) continue;
    margin.append(by("missing").content.cloneNode(true));
    if (!note.dataset.sample) note.querySelector(".read").remove();
    note.querySelector(".add").addEventListener("click", () => ask(note));
    note.querySelector(".cancel").addEventListener("click", () => {
      close(note);
      note.querySelector(".add").focus();
    });
    note.querySelector(".miss select").addEventListener("change", (event) => light(note, event.target.value));
    note.querySelector(".miss").addEventListener("submit", (event) => {
      event.preventDefault();
      const { at, indicator, comment } = event.target.elements;
      const key = [note.dataset.note, at.value, indicator.value].join(" ");
      if (cardsOf.has(key)) {
        tell("That sentence is flagged as this already: accept the flag.");
        return;
      }
      const [start, end] = at.value.split("-").map(Number);
      missed.set(key, { note: note.dataset.note, start, end, indicator: indicator.value, comment: comment.value });
      close(note);
      for (const twin of notesOf.get(note.dataset.note)) list(twin);
      note.querySelector(".add").focus();
      changed();
    });
    note.querySelector(".read input")?.addEventListener("change", (event) => {
      tick(note.dataset.note, event.target.checked);
      changed();
    });
  }
  document.addEventListener("click", (event) => {
    const sentence = event.target.closest(".sen");
    if (!sentence || event.target.closest("mark[data-flag], .mk") || String(getSelection())) return;
    ask(noteOf(sentence), sentence.dataset.at);
  });

  // Out of the page and into it again, as one small file.
  const decisions = () => {
    const made = [];
    for (const [key, item] of verdicts) {
      const [note, at, indicator] = key.split(" ");
      const [start, end] = at.split("-").map(Number);
      made.push({ note, start, end, indicator, verdict: item.verdict, reason: item.reason, comment: item.comment });
    }
    for (const item of missed.values()) made.push({ ...item, verdict: "missed", reason: "" });
    return {
      schema: SCHEMA,
      run: desk.dataset.run,
      key_id: desk.dataset.key,
      made: new Date().toISOString(),
      decisions: made,
      read: [...read].sort(),
    };
  };
  const isDecision = (item) =>
    item && ["note", "indicator", "reason", "comment"].every((name) => typeof item[name] === "string") &&
    Number.isInteger(item.start) && Number.isInteger(item.end) &&
    ["accepted", "dismissed", "missed"].includes(item.verdict);
  const reasons = new Set([...by("controls").content.querySelectorAll("option")].map((option) => option.value));
  const indicators = new Set([...by("missing").content.querySelectorAll("option")].map((option) => option.value));
  const take = ({ decisions: made, read: seen }) => {
    let taken = 0;
    for (const { note, start, end, indicator, verdict, reason, comment } of made) {
      const key = [note, `${start}-${end}`, indicator].join(" ");
      if (verdict === "missed") {
        const place = notesOf.get(note)?.[0].querySelector(`.sen[data-at="${start}-${end}"]`);
        if (!place || !indicators.has(indicator)) continue;
        missed.set(key, { note, start, end, indicator, comment });
      } else if (cardsOf.has(key)) {
        verdicts.set(key, { verdict, reason: verdict === "dismissed" && reasons.has(reason) ? reason : "", comment });
      } else continue;
      taken += 1;
    }
    for (const note of seen) {
      if (!notesOf.has(note)) continue;
      tick(note, true);
      taken += 1;
    }
    for (const card of cards) if (verdicts.has(keyOf(card))) show(card);
    for (const note of new Set([...missed.values()].map((item) => item.note))) {
      for (const twin of notesOf.get(note)) list(twin);
    }
    progress();
    return taken;
  };
  const wrong = (data) => {
    if (data?.schema !== SCHEMA || !Array.isArray(data.decisions) || !Array.isArray(data.read)) {
      return "it is no decisions file";
    }
    if (data.key_id !== desk.dataset.key) return "it belongs to another scan";
    if (!data.decisions.every(isDecision)) return "it is damaged";
    return "";
  };
  const load = async (file) => {
    let data = null;
    let why = file.size > MOST_BYTES ? "it is too large" : "";
    if (!why) {
      try {
        data = JSON.parse(await file.text());
        why = wrong(data);
      } catch {
        why = "it is no decisions file";
      }
    }
    if (why) {
      tell(`${file.name} was not loaded: ${why}.`);
      return;
    }
    const total = data.decisions.length + data.read.length;
    const taken = take(data);
    const rest = total - taken;
    if (total && !taken) tell(`${file.name} was not loaded: nothing in it is about a note on this page. Is it of another part?`);
    else tell(rest ? `Loaded; ${rest} of its ${total} entries are not about this page and stay in the file.` : "Loaded.");
  };
  by("load").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await load(file);
    event.target.value = "";
  });
  by("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(decisions(), null, 1), "\n"], { type: "application/json" }));
    link.download = desk.dataset.part === "1" ? "peerdrift-decisions.json" : `peerdrift-decisions-${desk.dataset.part}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    unsaved = false;
    tell(`Saved as ${link.download}, where your browser puts downloads.`);
  });
  addEventListener("beforeunload", (event) => unsaved && event.preventDefault());

  // Keys: from flag to flag and from sample note to sample note, in the order of the page.
  let opened = null;
  const only = document.querySelector("#filters [name=undecided]");
  const stops = () => {
    const here = current();
    const wanted = (stop) => !noteOf(stop).hidden && (!only?.checked || stop === here || isUndecided(stop));
    return all(".card[data-at], .read input").filter(wanted);
  };
  const focused = () => {
    const here = document.activeElement;
    return here?.closest(".card[data-at]") ?? here?.closest(".note")?.querySelector(".card[data-at], .read input") ?? null;
  };
  let last = null;
  const current = () => focused() ?? (last && !noteOf(last).hidden ? last : null);
  const go = (step) => {
    const places = stops();
    if (!places.length) return;
    const at = places.indexOf(current());
    const place = places[at < 0 ? (step > 0 ? 0 : places.length - 1) : Math.min(places.length - 1, Math.max(0, at + step))];
    if (opened && opened !== place) opened.open = false;
    opened = null;
    if (place.matches(".card") && !place.open) {
      place.open = true;
      opened = place;
    }
    last = place;
    const target = place.matches(".card") ? place.querySelector("summary") : place;
    target.focus({ preventScroll: true });
    (place.matches(".card") ? place : noteOf(place)).scrollIntoView({ block: place.matches(".card") ? "nearest" : "start" });
  };
  const act = {
    j: () => go(1),
    k: () => go(-1),
    a: (place) => place?.matches(".card") && decide(place, { verdict: "accepted" }),
    d: (place) => {
      if (!place?.matches(".card")) return;
      place.open = true;
      controls(place);
      if (verdicts.get(keyOf(place))?.verdict !== "dismissed") decide(place, { verdict: "dismissed" });
      place.querySelector(".reason select").focus();
    },
    c: (place) => {
      if (!place?.matches(".card") || !verdicts.has(keyOf(place))) return;
      place.open = true;
      place.querySelector(".comment textarea").focus();
    },
    m: (place) => place && noteOf(place).querySelector(".miss") && ask(noteOf(place)),
    r: (place) => place && noteOf(place).querySelector(".read input")?.click(),
    u: () => only?.click(),
    s: () => by("save").click(),
    l: () => by("load").click(),
    "?": () => by("keys").showModal(),
  };
  const typing = (element) => element.matches("input:not([type=checkbox]), select, textarea");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || by("keys").open) return;
    const here = event.target;
    if (event.key === "Escape") {
      const card = here.closest(".verdict")?.closest(".card");
      if (card) card.querySelector("summary").focus();
      else if (here.closest(".miss")) here.closest(".miss").querySelector(".cancel").click();
      return;
    }
    if (typing(here) || !by("shortcuts").checked || !Object.hasOwn(act, event.key)) return;
    event.preventDefault();
    act[event.key](current());
  });
  document.addEventListener("focusin", () => {
    last = focused() ?? last;
  });
  by("help").addEventListener("click", () => by("keys").showModal());

  desk.hidden = false;
  by("how").hidden = false;
  document.body.classList.add("reviewed");
  take(JSON.parse(desk.dataset.made));
})();
