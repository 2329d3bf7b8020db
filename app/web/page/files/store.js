// What is kept; nothing where storage is off or full.

function tried(work, otherwise) {
	try {
		return work();
	} catch {
		return otherwise;
	}
}

const kept = (storage) => ({
	get: (name, otherwise = null) => tried(() => JSON.parse(storage().getItem(name)) ?? otherwise, otherwise),
	put: (name, value) => tried(() => storage().setItem(name, JSON.stringify(value))),
	drop: (name) => tried(() => storage().removeItem(name)),
	names: (prefix) => tried(() => Object.keys(storage()).filter((name) => name.startsWith(prefix)), []),
});

// For all visits, and for this tab alone: two tabs have a batch each.
export const visits = kept(() => localStorage);
export const tab = kept(() => sessionStorage);
