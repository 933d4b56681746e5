"""The tests of the suite, by subject."""
