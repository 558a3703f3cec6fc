"""Note to sentences and tokens; every offset is into the text as it was given."""
