// What is kept between visits; nothing where storage is off or full.

export function get(name, otherwise = null) {
  try {
    const text = localStorage.getItem(name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function put(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It is not remembered.
  }
}

export function drop(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // It was not remembered.
  }
}

// The names that begin so.
export function names(prefix) {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
}
