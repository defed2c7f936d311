"""Gets pages through a proxy, each over the same client: get.py CLIENT PROXY URL...

CLIENT is requests, httpx or aiohttp. For each URL there is a line: the status and the first line of
the body, or the error that the client raises and what it says. The authorities that are believed
are those of SSL_CERT_FILE.
"""

import asyncio
import os
import sys


def said(status, body):
    return f"{status} {body.splitlines()[0] if body else ''}"


def with_requests(proxy, urls):
    import requests

    with requests.Session() as session:
        session.proxies = {"http": proxy, "https": proxy}
        session.verify = os.environ["SSL_CERT_FILE"]
        for url in urls:
            try:
                response = session.get(url, timeout=20)
                yield said(response.status_code, response.text)
            except requests.RequestException as error:
                yield f"{type(error).__name__}: {error}"


def with_httpx(proxy, urls):
    import httpx

    with httpx.Client(proxy=proxy, timeout=20) as client:
        for url in urls:
            try:
                response = client.get(url)
                yield said(response.status_code, response.text)
            except httpx.HTTPError as error:
                yield f"{type(error).__name__}: {error}"


def with_aiohttp(proxy, urls):
    return asyncio.run(get_with_aiohttp(proxy, urls))


async def get_with_aiohttp(proxy, urls):
    import aiohttp

    lines = []
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for url in urls:
            try:
                async with session.get(url, proxy=proxy) as response:
                    lines.append(said(response.status, await response.text()))
            except aiohttp.ClientError as error:
                lines.append(f"{type(error).__name__}: {error}")
    return lines


CLIENTS = {"requests": with_requests, "httpx": with_httpx, "aiohttp": with_aiohttp}

for line in CLIENTS[sys.argv[1]](sys.argv[2], sys.argv[3:]):
    print(line)
