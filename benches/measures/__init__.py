"""One file a measure; each has `measure(quick) -> Measure`."""
