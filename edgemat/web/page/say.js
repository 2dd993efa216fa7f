// The page's one line of status, its bar, and its elements by name.

export const find = (id) => document.getElementById(id);

/** Show a sentence; a bad one in red. */
export function say(text, bad = false) {
  find('status').textContent = text;
  find('status').classList.toggle('bad', bad);
}

/** Run something that may fail; what it says when it does becomes the status. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
    return undefined;
  } finally {
    find('bar').hidden = true;
  }
}

/** Show how much is done. */
export function showProgress({done, total}) {
  Object.assign(find('bar'), {hidden: false, max: total, value: done});
}

/** Hand a file to the user. */
export function download(blob, name) {
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(blob), download: name,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
