"""An index whose photos and descriptors lie in Milvus: one collection, and a folder that knows the rest.

What belongs here: the address (``address``), the collection's fields and how a photo becomes an entity
(``schema``), all that is said to the server (``collection``), conditions (``filters``), search (``search``),
the folder's manifest (``manifest``), and the index as callers see it (``reader``, ``change``, ``building``,
``verification``). ``docs/milvus.md`` tells what it guarantees.

pymilvus is imported when a server is first spoken to, by ``collection`` alone.
"""
