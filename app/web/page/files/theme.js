// Before anything is painted: the theme that was chosen, or that of the system.
try {
	const theme = JSON.parse(localStorage.getItem("theme"));
	if (theme) document.documentElement.style.colorScheme = theme;
} catch {
	// Storage is off.
}
