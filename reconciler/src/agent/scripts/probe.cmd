@echo off
rem Everything about the server that no file tells, in one call. Sections start with "@@".
rem Localised text is never read: only numbers, registry types and CSV positions.
setlocal
chcp 65001 >nul
echo @@probe 1
echo @@identity
echo user=%USERDOMAIN%\%USERNAME%
echo computer=%COMPUTERNAME%
echo @@utility
set "UTILITY=C:\Program Files\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe"
call :utility
set "UTILITY=C:\Program Files (x86)\Skyline Communications\Skyline Taskbar Utility\SLTaskbarUtility.exe"
call :utility
echo @@processes
tasklist /fo csv /nh
echo @@disk
fsutil volume diskfree C:
echo @@service nats-server
sc query nats-server
echo rc=%ERRORLEVEL%
echo @@timezone
reg query "HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation" /v TimeZoneKeyName
echo @@addresses
reg query "HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces" /s
rem A key that is there is listed; nothing between two marks means that there is none.
echo @@reboot
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
echo @@os
reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v CurrentBuildNumber
echo @@dotnet
reg query "HKLM\SOFTWARE\WOW6432Node\dotnet\Setup\InstalledVersions\x64\sharedfx\Microsoft.AspNetCore.App"
echo @@vcredist
reg query "HKLM\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x64" /v Version
echo @@names
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall" /s /v DisplayName
reg query "HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall" /s /v DisplayName
echo @@versions
reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall" /s /v DisplayVersion
reg query "HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall" /s /v DisplayVersion
echo @@lock
set "LOCK=held"
call :free >>"C:\ProgramData\dataminer-reconciler\active.lock"
echo lock=%LOCK%
echo @@end
exit /b 0

:utility
if not exist "%UTILITY%" exit /b 0
echo %UTILITY%
exit /b 0

:free
set "LOCK=free"
exit /b 0
