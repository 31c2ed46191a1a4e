"""A screen on aiortc: receives one participant by WHEP, counts the packets of sound and picture, leaves, and tells as JSON.

Usage: TOKEN=… whep.py URL
"""

import asyncio
import json
import os
import sys
import urllib.request
from urllib.parse import urljoin

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

PACKETS = 100
PATIENCE_SECONDS = 15


def send(method, url, body=None):
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    if body is not None:
        headers["Content-Type"] = "application/sdp"
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.headers, answer.read().decode()


async def packets(receivers):
    counts = {}
    for kind, receiver in receivers.items():
        stats = await receiver.getStats()
        counts[kind] = sum(one.packetsReceived for one in stats.values() if one.type == "inbound-rtp")
    return counts


async def until_enough(receivers):
    for _ in range(PATIENCE_SECONDS * 10):
        if min((await packets(receivers)).values()) >= PACKETS:
            return True
        await asyncio.sleep(0.1)
    return False


async def main(url):
    # No servers: by itself it would ask one of the internet's.
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    # One section of each kind: aiortc looks for candidates in the last section of a transport, the answer has them in the first.
    receivers = {kind: peer.addTransceiver(kind, direction="recvonly").receiver for kind in ("audio", "video")}
    await peer.setLocalDescription(await peer.createOffer())
    offer = peer.localDescription.sdp.encode()
    entered, headers, answer = await asyncio.to_thread(send, "POST", url, offer)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    is_enough = await until_enough(receivers)
    told = {"entered": entered, "packets": await packets(receivers)}
    told["left"], _, _ = await asyncio.to_thread(send, "DELETE", urljoin(url, headers["Location"]))
    await peer.close()
    print(json.dumps(told))
    return 0 if is_enough else 1


sys.exit(asyncio.run(main(sys.argv[1])))
