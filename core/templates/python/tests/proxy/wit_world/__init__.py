"""Stands in for what componentize-py makes of wit/world.wit."""
