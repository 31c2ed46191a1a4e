// The level of a microphone as five bars, so that somebody sees that they are heard.

/** How often the bars move. Milliseconds. */
const TICK_MS = 100;

/** The quietest level of each bar: from a whisper to a firm voice, in decibels below full scale. */
const STEPS_DB = [-55, -45, -36, -28, -20];

/**
 * Shows the level of `track` on `element`, whose children are the bars, until the returned function is called.
 * @param {MediaStreamTrack} track
 * @param {HTMLElement} element
 * @param {() => void} heard called once, when the first sound above a whisper arrives
 * @returns {() => void}
 */
export function showLevel(track, element, heard) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let isHeard = false;
  const timer = setInterval(() => {
    // A page that was not touched yet gets a suspended context; the first touch anywhere resumes it.
    if (context.state === "suspended") void context.resume();
    analyser.getFloatTimeDomainData(samples);
    const bars = STEPS_DB.filter((step) => level(samples) >= step).length;
    Array.from(element.children).forEach((bar, index) => bar.classList.toggle("lit", index < bars));
    if (bars > 1 && !isHeard) {
      isHeard = true;
      heard();
    }
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    void context.close();
    for (const bar of element.children) bar.classList.remove("lit");
  };
}

/** Root mean square in decibels below full scale. @param {Float32Array} samples */
function level(samples) {
  const sum = samples.reduce((total, sample) => total + sample * sample, 0);
  return 20 * Math.log10(Math.sqrt(sum / samples.length) || 1e-6);
}
