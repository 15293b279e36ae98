"""How much may happen at once, in one place and with the reason for each number."""

#: Careful requests for index pages at once.  Pages are small, so what counts is round trips, not bandwidth.
PAGES = 12

#: Pages of an index that are waited for at once; those that are asked for in the plain way share a few connections.
PAGES_AWAITED = 100

#: Downloads at once.  More connections make no link faster; each costs a TLS handshake (about 1.5 ms of CPU).
DOWNLOADS = 16

#: A download of this size takes this many places: the largest wheels are to be there, unpacked and staged, before
#: the small ones are, and not to share the link with all of them until the end.
LARGE_BYTES = 1 << 20
LARGE_WEIGHT = 3

#: How often an environment is committed anew when the cache was cleaned under it.
ATTEMPTS = 4

#: How often a page or a download is asked for again when what went wrong may pass.
RETRIES = 3

#: How long a run may wait in all before it asks again, in seconds; waits side by side count once.
RETRY_SECONDS = 120

#: Seconds for a connection, and between two pieces of an answer.
CONNECT_SECONDS = 15
READ_SECONDS = 30

#: What a body has to bring at least, over each window of READ_SECONDS: an old mobile link has ten times that.
LEAST_BYTES_PER_SECOND = 256

#: A download of at most this size takes a round trip and next to no time besides, so many may be under way beside the
#: others: at 100 ms, 16 at once took half a second longer for 100 of them.
TINY_BYTES = 1 << 16
TINY_DOWNLOADS = 64

#: From so many on they are asked for together, over connections that are open: a new one costs three round trips.
TINY_ALONE = 4

#: How many redirects one request may follow.
REDIRECTS = 30

#: What downloads may have under way while pages are asked for: what 200 Mbit/s carry in 20 ms, twice.
BYTES_BESIDE_PAGES = 1 << 20

#: Less than that of an unfinished download is asked for again: finding out whether it can be continued costs as much.
KEPT_BYTES = 1 << 20

#: How many downloads of LARGE_BYTES may be under way then; they keep the link busy while a resolution ends.
LARGE_BESIDE_PAGES = 2

#: The size that is assumed where the index gives none.
UNKNOWN_BYTES = 1 << 18

#: Hard bound of an index page, compressed or not; the largest real ones have about 30 MB.
PAGE_BYTES = 256 << 20

#: Requests for metadata at once.  They are some kilobytes each, and what counts is round trips.
METADATA = 50

#: From one server as many files are asked for one by one before connections are made that carry many: a small
#: resolution has what it needs by then, on connections that its pages have made.
BULK_AFTER = 6

#: Those connections, and how many requests one may have under way; 200 Mbit/s carry 85 files of 6 kB in 20 ms.
BULK_CONNECTIONS = 8
BULK_DEPTH = 24

#: How many pages one of them may have under way: they are larger, and hold up what is behind them.
PAGE_DEPTH = 4

#: Connections that are made before there is an event loop.
EARLY_CONNECTIONS = 8

#: How long one of them may stand still, in seconds; then every file is asked for again on its own, with more patience.
BULK_SECONDS = 10

#: From this size on, as it was sent, a page is read by a worker, beside the process that resolves; the way there and
#: back costs what reading a small page does.
SORTED_APART_BYTES = 8 << 10

#: Hard bound of a METADATA file, compressed or not; the largest real ones have about 1 MB.
METADATA_BYTES = 8 << 20

#: What a resolution may have downloaded, or begun to, of wheels of which it has not decided that they are needed.
GUESSED_BYTES = 64 << 20

#: How long it is remembered that a server gives no parts of files, in seconds.
NO_RANGES_SECONDS = 24 * 3600

#: How long the command keyring may take to answer, in seconds: it may ask a person.
KEYRING_SECONDS = 60

#: Open files without which an event loop, the workers and a few connections cannot start; nearly all systems give 256
#: or more, and libraries that run out of them in their first steps do not say so.
DESCRIPTORS = 48
