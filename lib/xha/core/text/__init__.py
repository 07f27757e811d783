"""Text of other programs and of people: values, durations, numbers, option files, and cleaning for display."""
