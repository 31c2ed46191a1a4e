// Type to find: a combobox over the field "Patient" (WAI-ARIA APG, combobox with list autocomplete).
// Without this script the button "Find" shows the same patients as radio buttons.
// With `data-opens` the patient who is chosen is opened: the address is that, and their id.

/** How long nobody types before we ask, in milliseconds: a pause between words, not between letters. */
const PAUSE_MS = 150;

for (const element of document.querySelectorAll('[data-find-patient]')) attach(element);

/** @param {Element} element */
function attach(element) {
  const input = element.querySelector('input');
  const list = element.querySelector('ul');
  if (!input || !list) return;
  const form = input.form;
  let active = -1;
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-controls', list.id);
  input.setAttribute('aria-expanded', 'false');

  const options = () => [...list.querySelectorAll('[data-id]')];

  /** @param {boolean} isOpen */
  const open = (isOpen) => {
    list.hidden = !isOpen;
    input.setAttribute('aria-expanded', String(isOpen));
    if (!isOpen) mark(-1);
  };

  /** @param {number} index */
  const mark = (index) => {
    active = index;
    options().forEach((option, place) => option.setAttribute('aria-selected', String(place === index)));
    const option = options()[index];
    if (option) {
      input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else {
      input.removeAttribute('aria-activedescendant');
    }
  };

  /** @param {Element} option */
  const choose = (option) => {
    const opens = element.getAttribute('data-opens');
    if (opens !== null) return location.assign(opens + (option.getAttribute('data-id') ?? ''));
    forget();
    const chosen = document.createElement('input');
    chosen.type = 'hidden';
    chosen.name = 'patient';
    chosen.value = option.getAttribute('data-id') ?? '';
    element.append(chosen);
    input.value = option.getAttribute('data-label') ?? '';
    open(false);
  };

  /** Whoever was chosen is not any more: the field says something else. */
  const forget = () => {
    for (const chosen of form?.querySelectorAll('[name="patient"]') ?? []) {
      chosen.closest('.found')?.remove();
      chosen.remove();
    }
  };

  const ask = async () => {
    const query = input.value.trim();
    const mine = ++asked;
    if (query.length < 2) return open(false);
    const response = await fetch('/patients/find', { method: 'POST', body: new URLSearchParams({ q: query }) });
    if (!response.ok || mine !== asked) return;
    list.innerHTML = await response.text();
    open(true);
    mark(options().length > 0 ? 0 : -1);
  };

  input.addEventListener('input', () => {
    forget();
    clearTimeout(timer);
    timer = setTimeout(() => void ask().catch(() => open(false)), PAUSE_MS);
  });

  input.addEventListener('keydown', (event) => {
    if (list.hidden) return;
    const count = options().length;
    const option = options()[active];
    if (event.key === 'ArrowDown' && count > 0) mark((active + 1) % count);
    else if (event.key === 'ArrowUp' && count > 0) mark((active - 1 + count) % count);
    else if (event.key === 'Enter' && option) choose(option);
    else if (event.key === 'Escape') open(false);
    else return;
    event.preventDefault();
  });

  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const option = event.target instanceof Element ? event.target.closest('[data-id]') : null;
    if (option) choose(option);
  });
  input.addEventListener('blur', () => open(false));
}
