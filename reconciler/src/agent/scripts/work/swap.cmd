:work
rem A module out and in again while DataMiner is stopped: it does not start beside the newer one. What the utility's codes
rem mean is not documented, so DataMiner is stopped when its processes are gone. It stays so if the module is not in
rem place: it could not start.
set "UTILITY={utility}"
>"%JOB%\output.log" echo {module}
call :look
if "%UP%"=="no" goto down
start /wait "" "%UTILITY%" -stop >>"%JOB%\output.log"
>>"%JOB%\output.log" echo stop %ERRORLEVEL%
set WAITS=0

:wait
call :look
if "%UP%"=="no" goto down
set /a WAITS=WAITS+1
set "CODE=44"
if %WAITS% geq 60 goto ended
ping -n 6 127.0.0.1 >nul
goto wait

:down
{uninstall}
{install}
{start}
goto ended

:look
rem Names of processes are the same in every language, and the first of what stands between commas.
set "UP=no"
tasklist /fo csv /nh >"%JOB%\tasks.txt"
for /f "usebackq delims=," %%p in ("%JOB%\tasks.txt") do call :is %%p
exit /b 0

:is
if /i "%~1"=="SLDataMiner.exe" set "UP=yes"
if /i "%~1"=="SLNet.exe" set "UP=yes"
exit /b 0

:remove
start /wait "" msiexec /x %PRODUCT% /qn /norestart /l*v "%JOB%\uninstall.log"
set "CODE=%ERRORLEVEL%"
>>"%JOB%\output.log" echo uninstall %CODE%
if "%CODE%"=="3010" set "CODE=0"
if "%CODE%"=="1605" set "CODE=0"
exit /b 0

:install
start /wait "" msiexec /i "%INSTALLER%" /qn /norestart /l*v "%JOB%\install.log"
set "CODE=%ERRORLEVEL%"
>>"%JOB%\output.log" echo install %CODE%
if "%CODE%"=="3010" set "CODE=0"
exit /b 0

:start
start /wait "" "%UTILITY%" -start >>"%JOB%\output.log"
set "CODE=%ERRORLEVEL%"
>>"%JOB%\output.log" echo start %CODE%
exit /b 0
