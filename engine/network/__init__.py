"""How the network is used: whom to trust, what to say who we are, which way to go, and when to give up.

Values and decisions.  The one who talks is `engine.index.client`.
"""
