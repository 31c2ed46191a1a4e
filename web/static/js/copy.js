// Copies the value of the field that a button names by `data-copy`, and says so.

for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', () => copy(button.getAttribute('data-copy') ?? ''));
}

/** @param {string} id */
async function copy(id) {
  const field = document.getElementById(id);
  if (!(field instanceof HTMLInputElement)) return;
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say('Copied.');
  } catch {
    say('Press Ctrl+C to copy.');
  }
}

/** @param {string} sentence */
function say(sentence) {
  const status = document.getElementById('copied');
  if (status) status.textContent = sentence;
}
