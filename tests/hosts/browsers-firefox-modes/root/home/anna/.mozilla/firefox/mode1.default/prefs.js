// Mozilla User Preferences

user_pref("app.update.lastUpdateTime.background-update-timer", 1790000000);
user_pref("network.trr.mode", 1);
user_pref("network.trr.uri", "https://doh.example/dns-query");
