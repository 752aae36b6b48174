// system
pref("extensions.update.enabled", true);
lockPref("network.trr.mode", 3);
