// A server around mediasoup, so that it can be joined by offer and answer: reads commands as lines of JSON, answers each by a line.
//
//   node mediasoup.mjs FOLDER ADDRESS      FOLDER has mediasoup in its node_modules; media is received at ADDRESS
//
//   {"join": {"room": 0, "participant": 1, "offer": "v=0…"}}        → {"answer": "v=0…"}
//   {"subscribe": {"room": 0, "participant": 1, "others": [{"participant": 0, "large": true}]}}   → {}
//   {"leave": {"room": 0, "participant": 1}}                        → {}
//
// A participant has one transport both ways; what they receive has the payload types of the answer.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import path from 'node:path';

const [folder, address] = process.argv.slice(2);
const mediasoup = createRequire(path.join(folder, 'package.json'))('mediasoup');

const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
const FEEDBACK = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }, { type: 'transport-cc' }];
const CODECS = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2, preferredPayloadType: 111 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000, preferredPayloadType: 96 },
];
// More than anybody receives, so that nothing is held back before the first feedback.
const OUTGOING_BITRATE = 20_000_000;

const worker = await mediasoup.createWorker({ logLevel: 'error' });
worker.on('died', (error) => {
  console.error(String(error));
  process.exit(1);
});
/** Router and members of each room, by the number of the participant. */
const rooms = new Map();

async function roomOf(number) {
  if (!rooms.has(number)) rooms.set(number, worker.createRouter({ mediaCodecs: CODECS }).then((router) => ({ router, members: new Map() })));
  return await rooms.get(number);
}

/** The media sections of a description: lines without their `a=`, and the first word after `m=`. */
function sections(sdp) {
  return sdp.split('\r\nm=').slice(1).map((text) => {
    const lines = text.split('\r\n').map((line) => line.replace(/^a=/, ''));
    const values = (key) => lines.filter((line) => line.startsWith(`${key}:`)).map((line) => line.slice(key.length + 1));
    return { kind: text.split(' ')[0], lines, values, mid: values('mid')[0], sends: lines.includes('sendonly') };
  });
}

/** What mediasoup calls the parameters of a sender, read from one section of an offer. */
function sentParameters({ kind, values, mid }) {
  const headerExtensions = values('extmap').map((line) => line.split(' ')).map(([id, uri]) => ({ id: Number(id), uri }));
  const rids = values('rid').map((line) => ({ rid: line.split(' ')[0] }));
  const [ssrc, rtx] = values('ssrc-group').map((line) => line.split(' ').slice(1).map(Number))[0]
    ?? [Number(values('ssrc')[0]?.split(' ')[0])];
  const encodings = rids.length > 0 ? rids : [{ ssrc, ...(rtx ? { rtx: { ssrc: rtx } } : {}) }];
  const codecs = kind === 'audio'
    ? [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, rtcpFeedback: [{ type: 'transport-cc' }] }]
    : [
        { mimeType: 'video/VP8', payloadType: 96, clockRate: 90000, rtcpFeedback: FEEDBACK },
        { mimeType: 'video/rtx', payloadType: 97, clockRate: 90000, parameters: { apt: 96 } },
      ];
  return { mid, codecs, headerExtensions, encodings, rtcp: { cname: 'bench' } };
}

/** The part of an answer that says what one section is for. */
function described(section, router) {
  const { kind, values, sends } = section;
  const rtx = sends ? 97 : router.rtpCapabilities.codecs.find((codec) => codec.mimeType === 'video/rtx').preferredPayloadType;
  const lines = kind === 'audio'
    ? ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=rtpmap:111 opus/48000/2']
    : [`m=video 9 UDP/TLS/RTP/SAVPF 96 ${rtx}`, 'a=rtpmap:96 VP8/90000', `a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=96`];
  if (!sends) return [...lines, 'a=sendonly', `a=extmap:5 ${TRANSPORT_CC}`];
  const rids = values('rid').map((line) => line.split(' ')[0]);
  const simulcast = rids.length > 0 ? [...rids.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${rids.join(';')}`] : [];
  return [...lines, 'a=recvonly', ...values('extmap').map((line) => `a=extmap:${line}`), ...simulcast];
}

function answer(offered, transport, router) {
  const { usernameFragment, password } = transport.iceParameters;
  const { value } = transport.dtlsParameters.fingerprints.find((one) => one.algorithm === 'sha-256');
  const candidates = transport.iceCandidates.map((one) =>
    `a=candidate:${one.foundation} 1 ${one.protocol} ${one.priority} ${one.address} ${one.port} typ host`);
  const common = [
    'c=IN IP4 0.0.0.0', `a=ice-ufrag:${usernameFragment}`, `a=ice-pwd:${password}`, `a=fingerprint:sha-256 ${value}`,
    'a=setup:passive', 'a=rtcp-mux', ...candidates,
  ];
  const head = [
    'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=ice-lite', `a=group:BUNDLE ${offered.map(({ mid }) => mid).join(' ')}`,
  ];
  const body = offered.flatMap((section) => [...described(section, router), ...common, `a=mid:${section.mid}`]);
  return [...head, ...body, ''].join('\r\n');
}

async function join({ room: number, participant, offer }) {
  const { router, members } = await roomOf(number);
  const offered = sections(offer);
  const transport = await router.createWebRtcTransport({
    listenInfos: [{ protocol: 'udp', ip: address }], initialAvailableOutgoingBitrate: OUTGOING_BITRATE,
  });
  const [algorithm, value] = offered[0].values('fingerprint')[0].split(' ');
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm, value }] } });
  const producers = [];
  for (const section of offered.filter(({ sends }) => sends)) {
    producers.push(await transport.produce({ kind: section.kind, rtpParameters: sentParameters(section) }));
  }
  members.set(participant, { transport, producers });
  return { answer: answer(offered, transport, router) };
}

async function subscribe({ room: number, participant, others }) {
  const { router, members } = await roomOf(number);
  const headerExtensions = router.rtpCapabilities.headerExtensions.filter(({ uri }) => uri === TRANSPORT_CC);
  const rtpCapabilities = { codecs: router.rtpCapabilities.codecs, headerExtensions };
  for (const other of others) {
    for (const producer of members.get(other.participant).producers) {
      const consumer = await members.get(participant).transport.consume({ producerId: producer.id, rtpCapabilities });
      if (consumer.type === 'simulcast') await consumer.setPreferredLayers({ spatialLayer: other.large ? 2 : 0 });
    }
  }
  return {};
}

async function leave({ room: number, participant }) {
  const { router, members } = await roomOf(number);
  members.get(participant)?.transport.close();
  members.delete(participant);
  if (members.size === 0) {
    router.close();
    rooms.delete(number);
  }
  return {};
}

const commands = { join, subscribe, leave };
const say = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
say({ version: mediasoup.version });
for await (const line of createInterface({ input: process.stdin })) {
  const [[name, command]] = Object.entries(JSON.parse(line));
  try {
    say(await commands[name](command));
  } catch (error) {
    say({ error: String(error) });
  }
}
worker.close();
