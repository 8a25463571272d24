// A state of the server, or what is new in it: of an array the new items, and the keys of all if these have changed.

import { scrub } from "./scrub.js";

// The arrays of a state, with what an item is known by.
const KEYS = {
  screens: (screen) => screen.id,
  log: (entry) => String(entry.number),
  nodes: (node) => node.path,
};

function items(old, next, key) {
  const known = new Map([...old, ...next.items].map((item) => [key(item), item]));
  return (next.keys ?? old.map(key)).map((each) => known.get(each));
}

function members(old, next) {
  const state = { ...old, ...next };
  for (const [name, key] of Object.entries(KEYS)) {
    if (next[name]) {
      state[name] = items(old[name], next[name], key);
    }
  }
  return state;
}

// The state that the page has now. `old` is the one before, or null.
export function merged(old, answer) {
  if (answer.view) {
    scrub(answer.view);
  }
  if (answer.since === undefined) {
    return answer;
  }
  const state = members(old, answer);
  state.view = answer.view ? members(old.view, answer.view) : old.view;
  return state;
}
