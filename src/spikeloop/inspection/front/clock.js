// The one cursor of the page, in ticks from the start of the episode, and the neuron that is looked at.

export class Clock {
  constructor(decisions, ticks) {
    this.decisions = decisions;
    this.ticks = ticks;
    this.end = decisions * ticks;
    this.at = 0; // the tick that is shown; `end` is the moment after the last decision
    this.speed = 10; // decisions a second
    this.playing = false;
    this.listeners = [];
  }

  // The decision at the cursor; `decisions` at the end.
  get moment() {
    return Math.min(this.decisions, Math.floor(this.at / this.ticks));
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  tell() {
    for (const listener of this.listeners) listener(this);
  }

  go(tick) {
    this.at = Math.max(0, Math.min(this.end, Math.round(tick)));
    this.exact = this.at;
    this.tell();
  }

  // Some decisions on, or back to the start of this one first.
  step(decisions) {
    const within = this.at % this.ticks;
    this.go(decisions < 0 && within ? this.at - within : (this.moment + decisions) * this.ticks);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  pause() {
    this.playing = false;
    this.tell();
  }

  play() {
    if (this.at >= this.end) this.go(0);
    this.playing = true;
    this.exact = this.at;
    let last;
    const frame = (now) => {
      if (!this.playing) return;
      // A tab that slept goes on where it was.
      this.exact = Math.min(this.end, this.exact + (Math.min(200, now - (last ?? now)) / 1000) * this.speed * this.ticks);
      last = now;
      const tick = Math.floor(this.exact);
      if (tick !== this.at) {
        this.at = tick;
        if (tick >= this.end) this.playing = false;
        this.tell();
      }
      if (this.playing) requestAnimationFrame(frame);
    };
    this.tell();
    requestAnimationFrame(frame);
  }
}

export class Choice {
  constructor(population, neuron) {
    this.population = population;
    this.neuron = neuron;
    this.listeners = [];
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  choose(population, neuron) {
    this.population = population;
    this.neuron = neuron;
    for (const listener of this.listeners) listener(this);
  }
}
