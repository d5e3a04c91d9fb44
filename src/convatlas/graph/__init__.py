"""The Graph: a network as frozen data, from which every question is answered without torch."""
