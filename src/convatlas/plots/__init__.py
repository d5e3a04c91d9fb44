"""Pictures drawn with matplotlib that stand by themselves."""
