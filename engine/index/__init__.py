"""The Simple API: pages, their freshness, the choice of a file, and the client.

`page`, `anchors`, `freshness`, `compatibility`, `choice` and `refusal` are pure;
`default` finds out which index is meant; `client` alone talks to the network.
"""
