# Fetches ampls-doctor, verifies it, runs it and leaves nothing behind: for Azure Run Command on Windows (Windows
# PowerShell 5.1). README.md beside this file has the commands. The project's tests cannot run it: read it, it is short.
param(
    [string] $Source = '',     # https:// or http:// URL, path, or vmapp:NAME for a VM application; {arch}: amd64, arm64
    [string] $Sha256 = '',     # in hexadecimal; several, separated by commas, where machines differ
    [string] $Arguments = ''   # for the program, separated by blanks; without a --format the report is `compact`, without a
                               # --splay the look begins within a minute: a fleet does not ask its servers all at once; without a
                               # --browsers only policies of browsers are looked at
)
$ErrorActionPreference = 'Stop'

# What Run Command does not carry unharmed (blanks, `&`, `^`, a leading `-`) may be written base64:...
function Decoded([string] $Text) {
    if (-not $Text.StartsWith('base64:')) { return $Text.Trim() }
    [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Text.Substring(7))).Trim()
}

# At most 100 MB in at most 120 seconds.
function Download([string] $Url, [string] $File) {
    [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
    $request = [Net.WebRequest]::Create($Url)
    $request.Timeout = $request.ReadWriteTimeout = 30000
    $answer = $request.GetResponse()
    $out = [IO.File]::Create($File)
    try {
        $in = $answer.GetResponseStream()
        $buffer = New-Object byte[] 65536
        $clock = [Diagnostics.Stopwatch]::StartNew()
        while (($count = $in.Read($buffer, 0, $buffer.Length)) -gt 0) {
            $out.Write($buffer, 0, $count)
            if ($out.Length -gt 100000000 -or $clock.Elapsed.TotalSeconds -gt 120) { throw 'the download is too large or too slow' }
        }
    } finally { $out.Close(); $answer.Close() }
}

$folder = $null
$status = 2
try {
    $from = (Decoded $Source).Replace('{arch}', $env:PROCESSOR_ARCHITECTURE.ToLowerInvariant())
    $sums = @((Decoded $Sha256).ToUpperInvariant().Split(',') | ForEach-Object { $_.Trim() })
    $words = @((Decoded $Arguments) -split '\s+' | Where-Object { $_ })
    $application = if ($from -match '^vmapp:([A-Za-z0-9_-][A-Za-z0-9._-]*)$') { $Matches[1] }
    if (-not ($application -or $from -match '^https?://|^[A-Za-z]:\\|^\\\\')) {
        throw 'Source is neither a URL, nor an absolute path, nor vmapp:NAME'
    }
    if (@($sums -notmatch '^[0-9A-F]{64}$').Count -gt 0) { throw 'Sha256 is not 64 hexadecimal digits' }
    if ((-not $words -or $words[0] -match '^(-|check$|demo$)') -and -not ($words -match '^--format(=|$)')) {
        $words += '--format', 'compact'
    }
    if ((-not $words -or $words[0] -match '^(-|check$)') -and -not ($words -match '^--splay(=|$)')) {
        $words += '--splay', '60'
    }
    if ((-not $words -or $words[0] -match '^(-|check$)') -and -not ($words -match '^--browsers(=|$)')) {
        $words += '--browsers', 'policies'
    }
    $status = 3

    # Only SYSTEM and administrators may put anything beside a program that SYSTEM runs.
    $rights = New-Object Security.AccessControl.DirectorySecurity
    $rights.SetSecurityDescriptorSddlForm('D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')
    $folder = Join-Path ([IO.Path]::GetTempPath()) ('ampls-doctor.' + [guid]::NewGuid().ToString('N'))
    [void] [IO.Directory]::CreateDirectory($folder, $rights)
    $program = Join-Path $folder 'ampls-doctor.exe'

    if ($application) {
        # https://learn.microsoft.com/azure/virtual-machines/vm-applications: a folder for each version; the SHA-256 chooses.
        $place = "C:\Packages\Plugins\Microsoft.CPlat.Core.VMApplicationManagerWindows\*\Downloads\$application\*\*"
        $from = Get-ChildItem -Path $place | Where-Object { -not $_.PSIsContainer } |
            Where-Object { $sums -contains (Get-FileHash $_.FullName).Hash } | Select-Object -First 1 -ExpandProperty FullName
        if (-not $from) { throw "no file of the VM application $application has a SHA-256 of Sha256" }
    }
    if ($from -match '^https?://') { Download $from $program } else { Copy-Item -LiteralPath $from -Destination $program }
    $sum = (Get-FileHash -LiteralPath $program -Algorithm SHA256).Hash
    if ($sums -notcontains $sum) { throw "the file has the SHA-256 $sum, which is not in Sha256: not run" }

    # What a program writes to its standard error is not this script's error.
    $ErrorActionPreference = 'Continue'
    $null = & $program --version
    if ($LASTEXITCODE -ne 0) { throw "the program cannot be started here: status $LASTEXITCODE" }
    & $program @words
    if ($LASTEXITCODE -notin 0, 1, 2, 3) { throw "the program was ended: status $LASTEXITCODE" }
    # A finding is not a failure of the script: Run Command can lose the output of one that fails.
    $status = if ($LASTEXITCODE -eq 1) { 0 } else { $LASTEXITCODE }
} catch {
    # What follows a question mark may be a signature.
    [Console]::Error.WriteLine('run-command: ' + ($_.Exception.Message -replace '\?\S+', ''))
} finally {
    # A scanner may still hold a program that has just ended.
    for ($try = 0; $folder -and (Test-Path -LiteralPath $folder) -and $try -lt 20; $try++) {
        if ($try) { Start-Sleep -Milliseconds 500 }
        Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
    }
    if ($folder -and (Test-Path -LiteralPath $folder)) {
        [Console]::Error.WriteLine("run-command: $folder cannot be removed")
    }
}
exit $status
