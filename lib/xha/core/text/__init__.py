"""Text of other programs and people: values, durations, numbers, option files, and what is fit to be shown."""
