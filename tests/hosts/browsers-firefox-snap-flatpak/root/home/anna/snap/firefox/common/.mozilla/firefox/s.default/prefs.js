// Mozilla User Preferences

user_pref("app.update.lastUpdateTime.background-update-timer", 1790000000);
