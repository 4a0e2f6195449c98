"""The prior of the pooled model of hits by meaning: where its numbers come from."""
