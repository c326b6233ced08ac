"""Tests of forensics.models."""
