"""What is said in every question.

Source: PEP 691, "Content negotiation"; RFC 9110, section 10.1.5, "User-Agent".
"""

from engine import __version__

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

#: With every question about a page.
PAGE_FIELDS = {"Accept": ACCEPT, "Accept-Encoding": "gzip"}

USER_AGENT = f"engine/{__version__}"
