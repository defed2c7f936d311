"""What a filter may ask of the proxy."""
