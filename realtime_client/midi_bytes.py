"""What MIDI's bytes are called.

data[0] & KIND == NOTE_ON and data[2] > 0       # a key went down; the lower half of the first byte is the channel
"""

KIND = 0xF0
NOTE_OFF, NOTE_ON, CONTROL_CHANGE, SYSTEM = 0x80, 0x90, 0xB0, 0xF0
PEDAL, ALL_SOUND_OFF, ALL_NOTES_OFF = 64, 120, 123
"""Controllers."""
