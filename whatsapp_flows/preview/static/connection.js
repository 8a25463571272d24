// The conversation with the server: requests one after another, in the order in which they were made. A key press that
// has not been sent yet is replaced by the next one in the same field. Nothing here knows what an event means.

import { Changes } from "./changes.js";
import { merged } from "./merging.js";

const RETRY_MS = 1500;
const TIMEOUT_MS = 30000;

const headers = { "Content-Type": "application/json" };

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, body) {
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    throw new ServerError(response.status, await reason(response));
  }
  return response.json();
}

async function reason(response) {
  const text = (await response.text()).slice(0, 500);
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text;
  }
}

export class Connection {
  // `onState(state)` gets each STATE in the order of the requests. `onTrouble(error)` gets an Error, or null when the
  // server answers again.
  constructor({ onState, onTrouble }) {
    this.onState = onState;
    this.onTrouble = onTrouble;
    this.waiting = [];
    this.busy = false;
    this.state = null;
    this.announced = -1;
    this.retry = 0;
    // The server says when something has changed that the page has not asked for: the file, or an answer that took long.
    this.changes = new Changes({
      onRevision: (revision) => {
        this.announced = revision;
        this.#catchUp();
      },
      onLost: () => this.refresh(),
    });
  }

  get revision() {
    return this.state?.revision ?? -1;
  }

  // Whether a newer answer is on its way than the one that was drawn last.
  get outstanding() {
    return this.waiting.length > 0;
  }

  open() {
    this.refresh();
    this.changes.open();
  }

  refresh() {
    if (!this.waiting.some((job) => job.path === "/state")) {
      this.#push({ path: "/state" });
    }
  }

  event(event) {
    const last = this.waiting.at(-1);
    if (event.type === "Fill" && last?.body?.event?.type === "Fill" && last.body.event.path === event.path) {
      last.body = { event };
      return last.done;
    }
    return this.#push({ path: "/event", body: { event } });
  }

  command(command, fields = {}) {
    return this.#push({ path: "/command", body: { command, ...fields } });
  }

  async test() {
    return (await request("/test")).source;
  }

  link() {
    return request("/link");
  }

  #push(job) {
    job.done = new Promise((resolve) => {
      job.resolve = resolve;
    });
    this.waiting.push(job);
    this.#pump();
    return job.done;
  }

  async #pump() {
    if (this.busy) {
      return;
    }
    this.busy = true;
    while (this.waiting.length > 0) {
      const job = this.waiting.shift();
      try {
        // Only what is new comes back. One request follows another, so the page still has the state that it names.
        const answer = await this.#ask(job);
        this.onTrouble(null);
        this.state = merged(this.state, answer);
        this.onState(this.state);
        job.resolve(answer);
      } catch (error) {
        job.resolve(null);
        this.#failed(error, job);
      }
    }
    this.busy = false;
    this.#catchUp();
  }

  #ask({ path, body }) {
    const seen = this.revision;
    return body === undefined ? request(`${path}?seen=${seen}`) : request(path, { ...body, seen });
  }

  // A change that a request of this page has made is announced too, often before its response is here.
  #catchUp() {
    if (!this.busy && this.announced > this.revision) {
      this.announced = -1;
      this.refresh();
    }
  }

  // What was queued behind a failed request was meant for a state that was never reached: it is dropped, and the page
  // asks for the state again; after a while, if it was the state that failed.
  #failed(error, { path }) {
    for (const job of this.waiting.splice(0)) {
      job.resolve(null);
    }
    this.onTrouble(error);
    if (error instanceof ServerError && error.status < 500 && error.status !== 403 && path !== "/state") {
      queueMicrotask(() => this.refresh());
      return;
    }
    this.state = null;
    this.announced = -1;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.open(), RETRY_MS);
  }
}
