"""Ways into other systems, each in a module of its own: importing one on purpose is what loads its library.

spacy    a pipeline component that writes ``doc.spans``
fhir     FHIR R4 resources and CDS Hooks cards
spark    a frame of notes to a frame of findings
utf16    offsets for JavaScript, Java and C#
"""
