"""What several rooms compute with: intervals, windows, random words, exact sums, atomic files."""
