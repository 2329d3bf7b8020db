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
});

// For all visits, and for this tab alone.
export const visits = kept(() => localStorage);
export const tab = kept(() => sessionStorage);
