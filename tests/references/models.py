"""The equations of README.md in NumPy, written step by step as an engine would: state arrays in, state arrays out."""

import math

import numpy as np


def decay(dt, tau):
    """What is left after a step."""
    return math.exp(-dt / tau) if tau > 0 else 0.0


class Membrane:
    """Threshold, reset and refractoriness that LIF cells share; `fire` ends a step and records it."""

    def __init__(self, n, given, dt, v_start=None):
        self.v = np.full(n, given.get("v_rest", 0.0)) if v_start is None else v_start.copy()
        self.rest, self.t_ref = np.zeros(n, int), round(given["t_ref"] / dt)
        self.v_th, self.v_reset = given["v_th"], given["v_reset"]
        self.trace, self.spikes, self.k = [], [], 0

    def free(self):
        """Cells that integrate in this step."""
        return self.rest == 0

    def fire(self, new, threshold=0.0):
        """Take over `new` where free, fire, reset, count down; `threshold` comes on top. Returns who fired."""
        free = self.free()
        self.v = np.where(free, new, self.v)
        fired = free & (self.v >= self.v_th + threshold)
        self.v = np.where(fired, self.v_reset, self.v)
        self.rest = np.where(fired, self.t_ref, np.maximum(self.rest - 1, 0))
        self.spikes += [(self.k, i) for i in np.flatnonzero(fired)]
        self.trace.append(self.v)
        self.k += 1
        return fired

    def result(self, n_steps):
        """(trace (cells, steps), table of spikes)."""
        return np.array(self.trace[:n_steps]).T, np.array(self.spikes, np.int32).reshape(-1, 2)


def lif(given, drives, dt):
    """`drives` has shape (steps, cells)."""
    cells, keep = Membrane(drives.shape[1], given, dt), decay(dt, given["tau_mem"])
    for drive in drives:
        cells.fire(drive + (cells.v - drive) * keep)
    return cells.result(200)


def psc(given, kind, arrivals, dt):
    """`arrivals` are the weights that arrive in each step."""
    tau_m, tau_s = given["tau_mem"], given["tau_syn"]
    keep_m, keep_s, rate = decay(dt, tau_m), decay(dt, tau_s), 1 / tau_s - 1 / tau_m
    from_i = tau_s / (tau_s - tau_m) * (keep_s - keep_m)
    from_y = (keep_m - keep_s * (1 + rate * dt)) / (rate**2 * tau_s * tau_m)
    cell, i, y, currents = Membrane(1, given, dt), 0.0, 0.0, []
    for weight in arrivals:
        new = cell.v * keep_m + i * from_i + y * from_y
        i, y = (i + y * dt / tau_s) * keep_s, y * keep_s
        if kind == "alpha":
            y += math.e * weight
        else:
            i += weight
        cell.fire(new)
        currents.append(i)
    v, spikes = cell.result(300)
    return v[0], np.array(currents[:300]), spikes[:, 0]


def conductance(given, kind, arrivals, dt, n_sub):
    """rk4 with `n_sub` steps within each of ours, or exponential Euler if `n_sub` is 0."""
    tau = np.array([given["tau_exc"], given["tau_inh"]])
    goal = np.array([given["e_exc"], given["e_inh"]])
    cell, s, trace = Membrane(1, given, dt), np.zeros(5), []  # s is v, g_exc, g_inh, y_exc, y_inh

    def slope(s):
        g, y = s[1:3], s[3:]
        return np.concatenate([[(g @ (goal - s[0]) - s[0]) / given["tau_mem"]], (y - g) / tau, -y / tau])

    for weight in arrivals:
        s[0] = cell.v[0]
        if n_sub == 0:
            total = 1 + s[1:3].sum()
            level, keep = s[1:3] @ goal / total, np.exp(-dt / tau)
            v = level + (s[0] - level) * math.exp(-total * dt / given["tau_mem"])
            s = np.concatenate([[v], s[3:] + (s[1:3] - s[3:]) * keep, s[3:] * keep])
        for _ in range(n_sub):
            h = dt / n_sub
            a = slope(s)
            b = slope(s + h / 2 * a)
            c = slope(s + h / 2 * b)
            s = s + h / 6 * (a + 2 * b + 2 * c + slope(s + h * c))
        where, gain = 0 if weight > 0 else 1, math.e if kind == "alpha" else 1.0
        s[(3 if kind == "alpha" else 1) + where] += gain * abs(weight)
        cell.fire(s[:1])
        trace.append(s[1:3])
    v, spikes = cell.result(300)
    return v[0], *np.array(trace[:300]).T, spikes[:, 0]


def izhikevich(given, currents, dt):
    """`currents` for each step; dt in s, the model counts in ms."""
    a, b, c, d = (np.array(given[name], float) for name in "abcd")
    v, u, h = np.full(4, given["v_start"]), np.full(4, given["u_start"]), dt * 1e3
    vs, us, spikes = [], [], []
    for k, current in enumerate(currents):
        v, u = v + h * (0.04 * v * v + 5 * v + 140 - u + current), u + h * a * (b * v - u)
        fired = v >= given["v_th"]
        v, u = np.where(fired, c, v), np.where(fired, u + d, u)
        vs, us, spikes = [*vs, v][:300], [*us, u][:300], spikes + [(k, i) for i in np.flatnonzero(fired)]
    return np.array(vs).T, np.array(us).T, np.array(spikes, np.int32).reshape(-1, 2)


def adex(given, current, dt, n_sub, method):
    """`n_sub` steps in each of ours; a spike is looked for in each of them. Returns v, w and the substeps of spikes."""
    g_l, e_l, v_t, delta, peak = (given[name] for name in ("g_l", "e_l", "v_t", "delta_t", "v_peak"))
    v, w, h, vs, ws, spikes = e_l, 0.0, dt / n_sub, [], [], []

    def slope(v, w):
        if method == "rk4":
            v = min(v, peak)
        spiking = g_l * delta * math.exp((v - v_t) / delta)
        return (g_l * (e_l - v) + spiking - w + current) / given["c_m"], (given["a"] * (v - e_l) - w) / given["tau_w"]

    for k in range(round(given["duration"] / dt) * n_sub):
        av, aw = slope(v, w)
        if method == "rk4":
            bv, bw = slope(v + h / 2 * av, w + h / 2 * aw)
            cv, cw = slope(v + h / 2 * bv, w + h / 2 * bw)
            dv, dw = slope(v + h * cv, w + h * cw)
            av, aw = (av + 2 * bv + 2 * cv + dv) / 6, (aw + 2 * bw + 2 * cw + dw) / 6
        v, w = v + h * av, w + h * aw
        if v >= peak:
            v, w = given["v_reset"], w + given["b"]
            spikes.append(k)
        if k % n_sub == n_sub - 1 and len(vs) < 300:
            vs.append(v)
            ws.append(w)
    return np.array(vs), np.array(ws), np.array(spikes, np.int32)


def alif(given, name, dt):
    """Adaptation of the threshold, or a current, with w exact or held over the step."""
    drive, tau_m, tau_w = np.array(given["drives"]), given["tau_mem"], given["tau_w"]
    tau = given["tau_theta"] if name == "theta" else tau_w
    keep, keep_w = decay(dt, tau_m), decay(dt, tau)
    from_w = -tau_w / (tau_w - tau_m) * (keep_w - keep) if name == "current" else keep - 1
    cells, w, trace = Membrane(2, given, dt), np.zeros(2), []
    for _ in range(round(given["duration"] / dt)):
        new = drive + (cells.v - drive) * keep + (0.0 if name == "theta" else w * from_w)
        w = w * keep_w
        fired = cells.fire(new, w if name == "theta" else 0.0)
        w = w + fired * (given["theta_jump"] if name == "theta" else given["b"])
        trace.append(w)
    v, spikes = cells.result(200)
    return v, np.array(trace[:200]).T, spikes


def cuba(given, pre, post, v_start):
    """All cells at once; spikes wait in a ring for the delay."""
    dt, tau_m = given["dt"], given["tau_mem"]
    delay, n = round(given["delay"] / dt), given["n"]
    tau = np.array([[given["tau_exc"]], [given["tau_inh"]]])
    keep, keeps = decay(dt, tau_m), np.exp(-dt / tau)
    gains = tau / (tau - tau_m) * (keeps - keep)
    matrix = np.zeros((2, n, n))
    excitatory = pre < given["n_exc"]
    matrix[0, pre[excitatory], post[excitatory]] = given["w_exc"]
    matrix[1, pre[~excitatory], post[~excitatory]] = given["w_inh"]
    cells, currents, ring = Membrane(n, given, dt, v_start), np.zeros((2, n)), np.zeros((delay + 1, n))
    for k in range(round(given["duration"] / dt)):
        new = given["e_l"] + (cells.v - given["e_l"]) * keep + (currents * gains).sum(0)
        ring[k % (delay + 1)] = cells.fire(new)
        arrived = np.flatnonzero(ring[(k - delay) % (delay + 1)])
        currents = currents * keeps + matrix[:, arrived].sum(1)
    v, spikes = cells.result(300)
    return v[[0, 1, 320]], spikes


def stdp(given, rule, events, n=4, spiked_before=False):
    """Weight after each of the (step, synapse, side) events, perhaps with a presynaptic spike in step -1."""
    dt, bound = given["dt"], given["w_max"]
    triplet = given.get(rule, {"a2_plus": 0, "a3_plus": 0, "a2_minus": 0, "a3_minus": 0, "tau_x": 1, "tau_y": 1})
    keep = np.exp(-dt / np.array([given["tau_plus"], given["tau_minus"], triplet["tau_x"], triplet["tau_y"]]))
    traces, w, after, now = np.zeros((n, 4)), np.array(given["w_start"]), [], -1
    traces[:, 0] = spiked_before
    for k, i, side in events:
        while now < k:
            traces, now = traces * keep, now + 1
        x, y, x2, y2 = traces[i]
        change = given["a_plus"] * x if side else -given["a_minus"] * y
        if rule == "multiplicative":
            change *= bound - w[i] if side else w[i]
        elif rule in given:
            plus, minus = triplet["a2_plus"] + triplet["a3_plus"] * y2, triplet["a2_minus"] + triplet["a3_minus"] * x2
            change = x * plus if side else -y * minus
        w[i] = min(max(w[i] + change, 0.0), bound)
        mine = [1, 3] if side else [0, 2]
        traces[i, mine] = 1.0 if rule == "nearest" else traces[i, mine] + 1.0
        after.append(w[i])
    return np.array(after)


def dopamine(given, pre, post, rewards, baseline):
    """Samples of c, n and of w by its three integrations."""
    dt, tau_c, tau_n = given["dt"], given["tau_c"], given["tau_n"]
    both = 1 / (1 / tau_c + 1 / tau_n)
    x, y, c, n, w, samples = np.zeros(2), np.zeros(2), np.zeros(2), 0.0, np.full((3, 2), given["w_start"]), []
    for k in range(round(given["duration"] / dt)):
        w[0] += c * n * both * (1 - decay(dt, both)) - baseline * c * tau_c * (1 - decay(dt, tau_c))
        w[1] += c * (n - baseline) * dt
        c, n = c * decay(dt, tau_c), n * decay(dt, tau_n)
        x, y = x * decay(dt, given["tau_plus"]), y * decay(dt, given["tau_minus"])
        arrived, fired = (np.isin([0, 1], table[table[:, 0] == k, 1]) for table in (pre, post))
        c = c - given["a_minus"] * y * arrived + given["a_plus"] * x * fired
        x, y, n = x + arrived, y + fired, n + np.isin(k, rewards) / tau_n
        w[2] += c * (n - baseline) * dt
        if k % 10 == 9:
            samples.append([c, [n, n], *w.copy()])
    c, n, exact, begin, end = np.array(samples).transpose(1, 2, 0)
    return c, n[0], exact, begin, end


def stp(given, pre):
    """Efficacy at each of the (step, train) spikes."""
    u, x, last, found = [0.0, 0.0], [1.0, 1.0], [0, 0], []
    for k, i in pre:
        since, last[i] = (k - last[i]) * given["dt"], k
        u[i] *= decay(since, given["tau_fac"])
        u[i] += given["u"] * (1 - u[i])
        x[i] = 1 - (1 - x[i]) * decay(since, given["tau_rec"])
        found.append(u[i] * x[i])
        x[i] -= found[-1]
    return np.array(found)
