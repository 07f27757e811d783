"""Tests of the tests: with a rule taken out, they must fail."""
