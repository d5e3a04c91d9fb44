"""Running a network: exported files, engines, and the fastest of them found by measurement."""
