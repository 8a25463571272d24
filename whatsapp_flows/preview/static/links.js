// Deep links: `#/SCREEN?data={...}`, with the data as JSON. They stay in the page: a fragment is not sent to a server.

export function readLink(hash) {
  if (!hash.startsWith("#/")) {
    return null;
  }
  const [path, query = ""] = hash.slice(2).split(/\?(.*)/s);
  try {
    const screen = decodeURIComponent(path);
    const text = new URLSearchParams(query).get("data");
    const data = text === null ? null : JSON.parse(text);
    return screen ? { screen, data } : null;
  } catch {
    return { problem: "The link cannot be read: its data is not JSON." };
  }
}

export function makeLink(base, { screen, data }) {
  const query = data === null ? "" : `?data=${encodeURIComponent(JSON.stringify(data))}`;
  return screen ? `${base}#/${encodeURIComponent(screen)}${query}` : base;
}
