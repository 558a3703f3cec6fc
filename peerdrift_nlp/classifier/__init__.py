"""Sentences and hits to calibrated probabilities; bundles, training and evaluation."""
