"""Dates as `java.time` prints and reads them: the language's users write Java patterns (spec/engine 6.8)."""
