"""Indexes of vectors, and what they are measured on."""
