"""lecmux for LlamaIndex."""
