"""What a rig finds out and wants recorded on Alyx: sessions, weights, water. No Qt and nothing of PyBpod."""
