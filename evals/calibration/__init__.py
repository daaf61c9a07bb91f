"""The embedded judge against labelled rows, on domains that it was not fitted to."""
