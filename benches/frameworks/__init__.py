"""Calls through LangChain and LlamaIndex over models that answer at once, so that only the way is left."""
