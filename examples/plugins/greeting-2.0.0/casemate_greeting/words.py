"""How one greets, by language."""

WORDS = {"en": "Hello", "fr": "Bonjour", "de": "Guten Tag"}
