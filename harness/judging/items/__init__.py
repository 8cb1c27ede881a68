"""What checks look at: views of a capture as plain items, and the measures of whole runs."""
