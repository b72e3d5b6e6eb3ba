"""The ground floor: audio, notes, time, chords, files, pictures and errors. No torch, nothing above it."""
