/* mine */
user_pref("network.trr.mode", 3);
