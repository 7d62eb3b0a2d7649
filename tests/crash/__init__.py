"""`kill -9` of Taxiway around each commit of the main job's steps, and at random moments: see `main.py`."""
